"""Forms: printed labels, and what somebody filled in with another machine."""

from __future__ import annotations

from numpy.random import Generator

from omni_iml.data.synthesis.pages.setting import Setting, address, code, phone, signature, stamp
from omni_iml.data.synthesis.pages.sheet import Sheet


def form(rng: Generator, sheet: Sheet, setting: Setting) -> None:
    """Draw a form of boxed or underlined fields."""
    language, em, plain, bold = setting.language, setting.em, setting.plain, setting.bold
    join = language.join
    typed = setting.other(rng, float(rng.uniform(0.95, 1.2)), fixed=rng.random() < 0.6)
    margin = 4 * em
    width = setting.width - 2 * margin
    boxed = rng.random() < 0.5
    y = 4.5 * em
    sheet.text(setting.width / 2, y, setting.say("form"), bold.scaled(1.6), "centre", join)
    sheet.text(setting.width - margin, y + 2 * em, code(rng, "AA-0000/00"), plain.scaled(0.8), "right")
    y += 4 * em
    tall = em * float(rng.uniform(2.6, 3.4))

    def field(x: float, wide: float, key: str, value: str) -> None:
        small = plain.scaled(0.72)
        if boxed:
            sheet.box(x, y, x + wide, y + tall, outline=setting.accent)
            sheet.text(x + 0.4 * em, y + 0.95 * em, setting.say(key), small, join=join)
            sheet.text(x + 0.8 * em, y + tall - 0.55 * em, value, typed)
        else:
            start = sheet.text(x, y + tall - 0.6 * em, f"{setting.say(key)}:", plain, join=join) + 0.8 * em
            sheet.line(start, y + tall - 0.35 * em, x + wide - em, y + tall - 0.35 * em, plain.colour)
            sheet.text(start + 0.5 * em, y + tall - 0.6 * em, value, typed)

    while y < setting.height - 14 * em:
        rows = (
            (("surname", language.pick(rng, language.last)), ("name", language.pick(rng, language.first))),
            (("born", language.day(rng, (1945, 2004))), ("sex", language.pick(rng, language.sexes))),
            (("address", address(rng, language)),),
            (("city", language.pick(rng, language.cities)), ("phone", phone(rng))),
            (("employer", language.pick(rng, language.companies)),),
            (("salary", language.money(int(rng.integers(90000, 900000)))), ("account", code(rng, "0000 0000 0000"))),
        )
        for fields in rows:
            for number, (key, value) in enumerate(fields):
                field(margin + number * width / len(fields), width / len(fields), key, value)
            y += tall * (1.0 if boxed else 1.05)
        y += em
        for _ in range(int(rng.integers(1, 4))):  # boxes to tick
            sheet.box(margin, y, margin + 0.9 * em, y + 0.9 * em, outline=plain.colour)
            if rng.random() < 0.5:
                sheet.line(margin, y, margin + 0.9 * em, y + 0.9 * em, typed.colour, 2)
                sheet.line(margin, y + 0.9 * em, margin + 0.9 * em, y, typed.colour, 2)
            words = join.join(language.pick(rng, language.words) for _ in range(4))
            sheet.text(margin + 1.8 * em, y + 0.85 * em, words, plain.scaled(0.9), join=join)
            y += 1.6 * em
        y += 1.5 * em
    sheet.text(margin, y + 3 * em, setting.say("date"), plain.scaled(0.8), join=join)
    sheet.text(margin, y + 1.6 * em, language.day(rng), typed)
    sheet.line(margin + width / 2, y + 2 * em, margin + width, y + 2 * em, plain.colour)
    sheet.text(margin + width / 2, y + 3 * em, setting.say("signature"), plain.scaled(0.8), join=join)
    signature(rng, sheet, margin + width / 2 + 2 * em, y + 1.5 * em, em)
    if rng.random() < 0.4:
        stamp(rng, sheet, setting, margin + width * float(rng.uniform(0.4, 0.8)), y + em)
