"""The measures 310n to 369n and the counts: unit of measure (UN/CEFACT Recommendation 20) and what is measured.

General Specifications, section 3.6: the last digit of the AI is the number of decimals, the value has six digits.
"""

from dataclasses import dataclass
from enum import StrEnum

PIECE = "H87"


class Extent(StrEnum):
    """Net: of the goods. Logistic: of the unit with its packaging. Rate: neither (kg per square metre)."""

    NET = "net"
    LOGISTIC = "logistic"
    RATE = "rate"


@dataclass(frozen=True, slots=True)
class MeasureKind:
    """What one AI of six digits measures."""

    family: str
    unit: str
    extent: Extent
    title: str


_TABLE = """
310 KGM net NET WEIGHT (kg)
311 MTR net LENGTH (m)
312 MTR net WIDTH (m)
313 MTR net HEIGHT (m)
314 MTK net AREA (m²)
315 LTR net NET VOLUME (l)
316 MTQ net NET VOLUME (m³)
320 LBR net NET WEIGHT (lb)
321 INH net LENGTH (in)
322 FOT net LENGTH (ft)
323 YRD net LENGTH (yd)
324 INH net WIDTH (in)
325 FOT net WIDTH (ft)
326 YRD net WIDTH (yd)
327 INH net HEIGHT (in)
328 FOT net HEIGHT (ft)
329 YRD net HEIGHT (yd)
330 KGM logistic GROSS WEIGHT (kg)
331 MTR logistic LENGTH (m), log
332 MTR logistic WIDTH (m), log
333 MTR logistic HEIGHT (m), log
334 MTK logistic AREA (m²), log
335 LTR logistic VOLUME (l), log
336 MTQ logistic VOLUME (m³), log
337 28 rate KG PER m²
340 LBR logistic GROSS WEIGHT (lb)
341 INH logistic LENGTH (in), log
342 FOT logistic LENGTH (ft), log
343 YRD logistic LENGTH (yd), log
344 INH logistic WIDTH (in), log
345 FOT logistic WIDTH (ft), log
346 YRD logistic WIDTH (yd), log
347 INH logistic HEIGHT (in), log
348 FOT logistic HEIGHT (ft), log
349 YRD logistic HEIGHT (yd), log
350 INK net AREA (in²)
351 FTK net AREA (ft²)
352 YDK net AREA (yd²)
353 INK logistic AREA (in²), log
354 FTK logistic AREA (ft²), log
355 YDK logistic AREA (yd²), log
356 APZ net NET WEIGHT (tr oz)
357 OZA net NET VOLUME (oz)
360 QTL net NET VOLUME (qt (US))
361 GLL net NET VOLUME (gal (US))
362 QTL logistic VOLUME (qt (US)), log
363 GLL logistic VOLUME (gal (US)), log
364 INQ net NET VOLUME (in³)
365 FTQ net NET VOLUME (ft³)
366 YDQ net NET VOLUME (yd³)
367 INQ logistic VOLUME (in³), log
368 FTQ logistic VOLUME (ft³), log
369 YDQ logistic VOLUME (yd³), log
"""


def _kind(line: str) -> MeasureKind:
    family, unit, extent, title = line.split(" ", 3)
    return MeasureKind(family, unit, Extent(extent), title)


MEASURES = {kind.family: kind for kind in map(_kind, _TABLE.strip().splitlines())}


def measure_lines() -> list[str]:
    """The measures in the form of the table of application identifiers."""
    return [
        f"{kind.family}0-{kind.family}5 *? N6 req={_REQUIRED[kind.extent]} ex={kind.family}n # {kind.title}"
        for kind in MEASURES.values()
    ]


_REQUIRED = {Extent.NET: "01,02", Extent.LOGISTIC: "00,01", Extent.RATE: "01"}
