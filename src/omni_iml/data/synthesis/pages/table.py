"""Invoices and statements: rows whose figures add up."""

from __future__ import annotations

from numpy.random import Generator

from omni_iml.data.synthesis.pages.setting import Setting, address, code
from omni_iml.data.synthesis.pages.sheet import Colour, Sheet


def invoice(rng: Generator, sheet: Sheet, setting: Setting) -> None:
    """Draw a table of goods: quantity times price is the amount, and the amounts make the total."""
    language, em, plain, bold = setting.language, setting.em, setting.plain, setting.bold
    join = language.join
    margin = 3.5 * em
    width = setting.width - 2 * margin
    y = 4.5 * em
    sheet.text(margin, y, setting.say("invoice"), bold.scaled(1.9), join=join)
    for key, value in (("number", code(rng, "0000-00000")), ("date", language.day(rng))):
        y += 1.6 * em
        sheet.text(margin, y, f"{setting.say(key)}:", plain, join=join)
        sheet.text(margin + 8 * em, y, value, plain)
    for text in (language.pick(rng, language.companies), address(rng, language), language.pick(rng, language.cities)):
        y += 1.4 * em
        sheet.text(margin + width * 0.55, y, text, plain)
    y += 3 * em
    ends = [margin + width * share for share in (0.5, 0.63, 0.81, 1.0)]
    _heading(sheet, setting, y, margin, ends, ("item", "quantity", "price", "amount"), rng.random() < 0.5)
    total, tall = 0, em * float(rng.uniform(1.6, 2.3))
    lines, first = rng.random() < 0.6, y
    while y < setting.height - 16 * em:
        y += tall
        count, price = int(rng.integers(1, 30)), int(rng.integers(100, 30000))
        total += count * price
        sheet.text(margin + 0.5 * em, y, language.pick(rng, language.items), plain)
        for end, value in zip(
            ends[1:], (str(count), language.money(price), language.money(count * price)), strict=True
        ):
            sheet.text(end - 0.5 * em, y, value, plain, "right")
        if lines:
            sheet.line(margin, y + 0.55 * em, margin + width, y + 0.55 * em, setting.accent)
    if lines:
        for column in (margin, *ends):
            sheet.line(column, first - 1.4 * em, column, y + 0.55 * em, setting.accent)
    tax = round(total * 0.19)
    for key, cents, style in (
        ("subtotal", total, plain),
        ("tax", tax, plain),
        ("total", total + tax, bold.scaled(1.15)),
    ):
        y += 2 * em
        sheet.text(ends[1], y, setting.say(key), style, join=join)
        sheet.text(ends[-1] - 0.5 * em, y, f"{language.money(cents)} {language.currency}", style, "right")


def statement(rng: Generator, sheet: Sheet, setting: Setting) -> None:
    """Draw movements of an account with the balance after each."""
    language, em, plain, bold = setting.language, setting.em, setting.plain, setting.bold
    join = language.join
    margin = 3 * em
    width = setting.width - 2 * margin
    y = 4.5 * em
    sheet.text(margin, y, setting.say("statement"), bold.scaled(1.6), join=join)
    for key, value in (("name", language.name(rng)), ("account", code(rng, "0000 0000 0000 0000"))):
        y += 1.6 * em
        sheet.text(margin, y, f"{setting.say(key)}:", plain, join=join)
        sheet.text(margin + 8 * em, y, value, bold)
    y += 3 * em
    ends = [margin + width * share for share in (0.2, 0.6, 0.8, 1.0)]
    _heading(sheet, setting, y, margin, ends, ("date", "subject", "amount", "balance"), rng.random() < 0.5)
    balance, tall = int(rng.integers(100000, 3000000)), em * float(rng.uniform(1.5, 2.1))
    striped = rng.random() < 0.5
    number = 0
    while y < setting.height - 5 * em:
        y += tall
        number += 1
        shade: Colour = (int(setting.paper[0] * 0.94), int(setting.paper[1] * 0.94), int(setting.paper[2] * 0.96))
        if striped and number % 2:
            sheet.box(margin, y - tall * 0.75, margin + width, y + tall * 0.25, fill=shade)
        amount = int(rng.integers(500, 200000)) * (1 if rng.random() < 0.4 else -1)
        balance += amount if balance + amount > 0 else (amount := -amount)
        sheet.text(margin + 0.3 * em, y, language.day(rng, (2019, 2025)), plain)
        sheet.text(ends[0] + 0.8 * em, y, language.pick(rng, language.companies), plain)
        sign = "-" if amount < 0 else ""
        sheet.text(ends[2] - 0.5 * em, y, sign + language.money(abs(amount)), plain, "right")
        sheet.text(ends[3] - 0.3 * em, y, language.money(balance), plain, "right")


def _heading(
    sheet: Sheet, setting: Setting, y: float, left: float, ends: list[float], keys: tuple[str, ...], dark: bool
) -> None:
    em, style = setting.em, setting.bold
    if dark:
        sheet.box(left, y - 1.4 * em, ends[-1], y + 0.6 * em, fill=setting.accent)
        style = type(style)(style.face, style.size, (250, 250, 250) if sum(setting.accent) < 420 else (15, 15, 15))
    sheet.text(left + 0.5 * em, y, setting.say(keys[0]), style, join=setting.language.join)
    for start, end, key in zip(ends, ends[1:], keys[1:], strict=False):
        wide = style.width(setting.say(key))
        if key == "subject":
            sheet.text(start + 0.8 * em, y, setting.say(key), style, join=setting.language.join)
        else:
            small = style.scaled(min(1.0, (end - start - 0.6 * em) / max(wide, 1.0)))
            sheet.text(end - 0.5 * em, y, setting.say(key), small, "right", setting.language.join)
    if not dark:
        sheet.line(left, y + 0.55 * em, ends[-1], y + 0.55 * em, setting.accent, max(1, round(em / 10)))
