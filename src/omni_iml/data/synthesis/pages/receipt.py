"""Receipts: narrow, in one face, a column of goods and a column of prices that add up."""

from __future__ import annotations

from numpy.random import Generator

from omni_iml.data.synthesis.pages.setting import Setting, address, barcode, code, phone
from omni_iml.data.synthesis.pages.sheet import Sheet


def receipt(rng: Generator, sheet: Sheet, setting: Setting) -> None:
    """Draw a till's receipt."""
    language, em, plain, bold = setting.language, setting.em, setting.plain, setting.bold
    join = language.join
    left, right, middle = 1.6 * em, setting.width - 1.6 * em, setting.width / 2
    leading = em * float(rng.uniform(1.2, 1.6))
    y = 2.6 * em
    sheet.text(middle, y, language.pick(rng, language.companies), bold.scaled(1.4), "centre")
    for text in (address(rng, language), language.pick(rng, language.cities), phone(rng)):
        y += leading
        sheet.text(middle, y, text, plain, "centre")
    y += 1.5 * leading
    sheet.text(middle, y, setting.say("receipt"), bold, "centre", join)
    dashed = rng.random() < 0.6

    def rule() -> None:
        if dashed:
            sheet.text(left, y, "-" * max(1, int((right - left) / plain.width("-"))), plain, join="")
        else:
            sheet.line(left, y - em * 0.3, right, y - em * 0.3, plain.colour)

    def row(name: str, value: str, big: bool = False) -> None:
        style = bold.scaled(1.25) if big else plain
        sheet.text(left, y, name, style, join=join)
        sheet.text(right, y, value, style, "right")

    y += 1.3 * leading
    row(setting.say("number"), code(rng, "000000"))
    y += leading
    row(setting.say("date"), f"{language.day(rng)} {rng.integers(8, 22):02}:{rng.integers(60):02}")
    y += leading
    rule()
    quantities = rng.random() < 0.5
    total = 0
    while y < setting.height - 14 * leading:
        y += leading
        count = int(rng.integers(1, 5)) if quantities else 1
        price = int(rng.integers(40, 4000))
        total += count * price
        row(language.pick(rng, language.items), language.money(count * price))
        if quantities and count > 1:
            y += leading
            sheet.text(left + 2 * em, y, f"{count} x {language.money(price)}", plain)
    y += leading
    rule()
    tax = round(total * float(rng.choice([0.05, 0.07, 0.1, 0.19, 0.2])))
    for key, cents in (("subtotal", total - tax), ("tax", tax)):
        y += leading
        row(setting.say(key), language.money(cents))
    y += 1.4 * leading
    row(setting.say("total"), f"{language.currency} {language.money(total)}", big=True)
    paid = -(-total // 1000) * 1000
    for key, cents in (("cash", paid), ("change", paid - total)):
        y += 1.2 * leading
        row(setting.say(key), language.money(cents))
    y += leading
    rule()
    y += 1.5 * leading
    sheet.text(middle, y, setting.say("thanks"), plain, "centre", join)
    if rng.random() < 0.5:
        barcode(rng, sheet, middle - 8 * em, y + em, 16 * em, 2.5 * em)
