"""Where a sentence ends, in English and Spanish: shared by the parts of an answer and by streamed drafts."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

# The end mark with what closes after it, then the white space at which a text may be cut.
_END = re.compile(r"(?<![.!?…。！？])[.!?…。！？]++[\"'”’»)\]*_]*+(?=(\s++))")
# Inside these a cut would break a link or code, whatever punctuation they hold. The lengths are bounded, because an
# answer may hold thousands of opening marks that nothing closes.
_WHOLE = re.compile(
    r"`[^`\n]{0,500}`|\[[^\[\]\n]{0,300}\]\([^()\n]{0,1000}\)|\*\*[^*\n]{1,300}\*\*"
    r"|\"[^\"\n]{0,300}\"|“[^“”\n]{0,300}”|«[^«»\n]{0,300}»"
)
LONGEST_SHORT = 12  # characters that are looked at before an end mark
_SHORT = re.compile(
    r"(?:^|[\s(\[«“\"])(?:[A-ZÁÉÍÓÚÑ]|\d{1,2}|dra?s?|sra?s?|srta|mrs?|ms|prof|gral|lic|ing|ave?|st|no|núm|nro|tel|pág|vs|"
    r"approx|aprox|e\.\s?g|i\.\s?e|p\.\s?ej|ej|ee|uu|ud|uds|vd|jr|inc|ltd|cía|c/|mon|tue|wed|thu|fri|sat|sun|"
    r"jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|ene|abr|ago|dic|art|cap|vol|fig|izq|dcha|dpto|apto|etc|"
    r"(?:[a-záéíóúñ]{1,2}\.)+[a-záéíóúñ]{1,2})\.$",
    re.IGNORECASE,
)


def ends(text: str) -> Iterator[tuple[int, int]]:
    """Each place where a sentence ends and another begins: end of the sentence, begin of the next.

    A short form ("Dr. Torres"), an initial, a number with a point and a following small letter end nothing; a line
    break ends nothing by itself. What is left open at the end of `text` (a link, inline code) holds everything back.
    """
    found = list(_END.finditer(text))
    whole = whole_spans(text) if found else []
    for match in found:
        end, after = match.end(), match.end() + len(match.group(1))
        before = bisect_left(whole, (end, 0)) - 1
        if (before >= 0 and end < whole[before][1]) or _SHORT.search(text[max(0, end - LONGEST_SHORT) : end]):
            continue
        if text[after : after + 1].islower():
            continue
        yield end, after


def whole_spans(text: str) -> list[tuple[int, int]]:
    """Links, code, bold words and quotations: where each begins and ends."""
    return [match.span() for match in _WHOLE.finditer(text)]


def is_open(text: str) -> bool:
    """Whether the last line of `text` holds an unfinished link or inline code."""
    line = _WHOLE.sub("", text.rpartition("\n")[2])
    return line.count("`") % 2 == 1 or line.rfind("[") > line.rfind("]") or line.rfind("](") > line.rfind(")")
