"""What a piece of text is: an amount of money, a time, a date, a phone number, a name..."""

from __future__ import annotations

import re

_CURRENCY = r"[$€£¥₩]|USD|EUR|GBP|KRW|JPY"
_MONEY_WORD = r"원|円|元|圓|dollars?|euros?|pounds?|won|yen|cents?|USD|EUR|GBP|KRW|JPY|€|\$|£"
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_CLOCK = (
    r"(?:오전|오후|午前|午後|上午|下午)?\s?(?:\d{1,2}:\d{2}(?:\s?[ap]\.?m\b\.?)?|\d{1,2}(?:\.\d{2})?\s?[ap]\.?m\b\.?|"
    r"\d{1,2}\s?[시時点](?:\s?\d{1,2}\s?[분分])?)"
)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
_DATE = (
    rf"(?:{_DAY},?\s)?(?:\d{{1,2}}(?:st|nd|rd|th)?\s(?:of\s)?{_MONTH}(?:,?\s\d{{4}})?|"
    rf"{_MONTH}\s\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s\d{{4}})?)\b|"
    r"\d{4}\s?[-./]\s?\d{1,2}\s?[-./]\s?\d{1,2}|\d{1,2}[-./]\d{1,2}[-./](?:\d{4}|\d{2})\b|"
    r"(?:\d{4}\s?[年년]\s?)?\d{1,2}\s?[月월]\s?\d{1,2}\s?[日일](?:\s?[（(].[）)])?|\d{4}\s?[年년](?:\s?\d{1,2}\s?[月월])?|"
    rf"\b{_MONTH}\s\d{{4}}\b"
)
_WEEKDAY = (
    rf"(?:every\s|each\s)?\b{_DAY}\b|(?:매주\s?)?[월화수목금토일]요일|"
    r"(?:毎週)?[月火水木金土日]曜日?|(?:每)?(?:周|星期)[一二三四五六日天]"
)
_RANGE = r"\s?(?:-|–|—|~|～|∼|to|until|till|至|부터|から)\s?"

_KINDS = {
    "amount": rf"[-−]?\s?(?:{_CURRENCY})\s?[-−]?(?:{_NUMBER})|[-−]?(?:{_NUMBER})\s?(?:{_MONEY_WORD})(?![a-z])"
    rf"|"
    rf"(?<![\d.:/-])[-−]?(?:\d{{1,3}}(?:,\d{{3}})+(?:\.\d{{1,2}})?|\d+\.\d{{1,2}})(?![\d.:/%]|\s?(?:%|[a-z]))",
    "time": rf"{_CLOCK}(?:{_RANGE}{_CLOCK})?",
    "date": rf"(?:{_DATE})|{_WEEKDAY}",
    "phone": r"(?<![\d-])(?:\+\d{1,3}[\s.-]?)?(?:\(\d{1,5}\)\s?)?\d{2,5}(?:[\s.-]\d{3,4}){1,2}(?![\d-])|"
    r"\b1\d{3}-\d{4}\b",
    "address": r"\d+[A-Za-z]?,? (?:[A-Z][\w'’]+ ){1,4}(?:Street|St|Road|Rd|Lane|Ln|Avenue|Ave|Square|Row|"
    r"Way|Drive|Park|Place|Quay|Boulevard)\b.*|[가-힣]+(?:시|도|구|군)\s.*(?:로|길|동|리)\s?\d*.*|"
    r"[^\s:：]*[市区县郡][^\s:：]*(?:路|街|号|町|丁目)[^\s]*",
    "email": r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    "url": r"(?:https?://|www\.)\S+|"
    r"(?<![@\w.-])[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|edu|gov|io|kr|co|de|uk|fr|jp|cn|example)\b\S*",
    "code": r"[#*]?(?:[A-Za-z]{1,6}[-\s]?)?(?=[\w*/-]*\d)[\w*][\w*/-]*",
    "number": rf"[-−]?(?:{_NUMBER})\s?(?:%|kcal|[kcm]?[gml]\b|[a-z]{{1,8}}\b|"
    r"[명名人개個個개월시간분원円元]+)?",
}
_FOUND = {kind: re.compile(pattern, re.IGNORECASE) for kind, pattern in _KINDS.items()}
_PURE = re.compile(
    rf"\s*[-−+(]?\s*(?:{_CURRENCY})?\s?[-−]?(?:{_NUMBER})\s?\)?\s*(?:{_MONEY_WORD}|%|[명名人개個点점])?\s*",
    re.IGNORECASE,
)
_COUNT = re.compile(r"\s*[x×]?\s*(\d{1,4})\s*[x×]?\s*(?:[명名人개個点점잔병매]|pcs|ea)?\s*", re.IGNORECASE)
_FREE = re.compile(r"(?:free|무료|免费|無料)[\s/]*(?:free|무료|免费|無料)?", re.IGNORECASE)
_LETTER = re.compile(r"[^\W\d_]")


def pieces(text: str, kind: str) -> list[str]:
    """The parts of the text that are of a kind, in order. "name", "place" and "" are the whole text."""
    whole = text.strip(" :：,;|")
    if kind in ("name", "place"):
        whole = "" if text.rstrip().endswith((":", "：")) else whole
        return [whole] if _LETTER.search(whole) and not _PURE.fullmatch(whole) else []
    if not kind:
        return [whole] if whole else []
    if kind == "code" and len(whole) <= 24 and any(letter.isdigit() for letter in whole):
        return [whole]
    if kind == "amount" and _FREE.fullmatch(whole):
        return [whole]
    if kind == "amount" and _PURE.fullmatch(whole) and "%" not in whole:
        return [whole]
    if kind == "code" and pieces(whole, "date"):
        return []
    return [found.strip(" ,.") for found in _FOUND[kind].findall(whole) if re.search(r"\w", found)]


def span(text: str, kind: str) -> tuple[int, int] | None:
    """Where the last part of a kind stands in the text."""
    last = None
    for match in _FOUND[kind].finditer(text):
        last = match.span()
    return last


def is_number(text: str) -> bool:
    """A number or an amount and nothing else."""
    return bool(_PURE.fullmatch(text))


def as_count(text: str) -> int | None:
    """A small whole number that stands alone: "2", "x3", "16名"."""
    found = _COUNT.fullmatch(text)
    return int(found.group(1)) if found else None


def as_number(text: str) -> float | None:
    """The value of a number or an amount, for comparisons; brackets and a minus make it negative."""
    found = re.search(_NUMBER, text)
    if found is None or not is_number(text):
        return None
    value = float(found.group().replace(",", ""))
    return -value if re.match(r"\s*[(−-]", text) else value


def as_minutes(text: str) -> float | None:
    """The first time of day in the text, in minutes, for comparisons."""
    found = re.search(r"(\d{1,2})[:시時点.]\s?(\d{2})?", text)
    if found is None or not _FOUND["time"].search(text):
        return None
    hour = int(found.group(1)) % 24
    if re.search(r"p\.?m|오후|午後|下午", text, re.IGNORECASE) and hour < 12:
        hour += 12
    return hour * 60 + int(found.group(2) or 0)
