"""Letters: a sender, a date, a subject, paragraphs, a signature."""

from __future__ import annotations

from numpy.random import Generator

from omni_iml.data.synthesis.pages.setting import Setting, address, code, paragraph, phone, signature, stamp
from omni_iml.data.synthesis.pages.sheet import Sheet


def letter(rng: Generator, sheet: Sheet, setting: Setting) -> None:
    """Draw one page of a letter with a few figures in it."""
    language, em, plain, bold = setting.language, setting.em, setting.plain, setting.bold
    join = language.join
    margin = em * float(rng.uniform(4, 6))
    right = setting.width - margin
    leading = em * float(rng.uniform(1.25, 1.8))
    y = 5 * em
    head = bold.scaled(1.5)
    sheet.text(margin, y, language.pick(rng, language.companies), head)
    y += 1.6 * leading
    sheet.text(margin, y, f"{address(rng, language)}, {language.pick(rng, language.cities)}", plain.scaled(0.85))
    y += 0.5 * leading
    if rng.random() < 0.6:
        sheet.line(margin, y, right, y, setting.accent, max(1, round(em / 8)))
    for text in (language.name(rng), address(rng, language), language.pick(rng, language.cities)):
        y += leading
        sheet.text(margin, y, text, plain)
    sheet.text(right, y, language.day(rng), plain, "right")
    y += 2 * leading
    end = sheet.text(margin, y, f"{setting.say('subject')}:", bold, join=join)
    sheet.text(end + em, y, setting.say("letter"), bold, join=join)
    y += leading
    for key, value in (("number", code(rng, "AA-000000")), ("phone", phone(rng))):
        sheet.text(margin, y, f"{setting.say(key)}:", plain, join=join)
        sheet.text(margin + 9 * em, y, value, plain)
        y += leading
    y += leading
    sheet.text(margin, y, f"{setting.say('dear')} {language.pick(rng, language.last)},", plain)
    y += 1.5 * leading
    indent = float(rng.choice([0.0, 2.0])) * em
    while y < setting.height - 16 * leading:
        y = paragraph(
            rng, sheet, setting, margin + indent, y, right - margin - indent, int(rng.integers(3, 7)), leading
        )
        if rng.random() < 0.4:
            cents = int(rng.integers(2000, 900000))
            sheet.text(margin + 3 * em, y, f"{setting.say('amount')}:", bold, join=join)
            sheet.text(margin + 15 * em, y, f"{language.money(cents)} {language.currency}", bold)
            y += leading
        y += 0.6 * leading
    sheet.text(margin, y + leading, setting.say("regards"), plain, join=join)
    signature(rng, sheet, margin + em, y + 3.5 * leading, em)
    sheet.text(margin, y + 5.5 * leading, language.name(rng), plain)
    if rng.random() < 0.5:
        stamp(rng, sheet, setting, margin + em * float(rng.uniform(12, 24)), y + 3 * leading)


def article(rng: Generator, sheet: Sheet, setting: Setting) -> None:
    """Draw a page in two columns with headings, as in journals."""
    em, plain, bold = setting.em, setting.plain, setting.bold
    language = setting.language
    margin, gap = 4 * em, 2 * em
    column = (setting.width - 2 * margin - gap) / 2
    leading = em * float(rng.uniform(1.15, 1.4))
    for start in (margin, margin + column + gap):
        y = margin
        while y < setting.height - margin:
            title = f"{rng.integers(1, 9)}.{language.join}{language.pick(rng, language.words)}"
            sheet.text(start, y, title, bold.scaled(1.15), join=language.join)
            y = paragraph(rng, sheet, setting, start, y + 1.5 * leading, column, int(rng.integers(8, 20)), leading)
            y += leading
    sheet.text(setting.width / 2, setting.height - 1.5 * em, str(rng.integers(1, 400)), plain, "centre")
