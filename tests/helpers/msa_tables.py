"""Published tables of measurement systems, as facts, each with its source."""

from __future__ import annotations

# AIAG, "Measurement Systems Analysis", 4th ed. 2010, gage R&R: operator, part, three readings.
AIAG = """
A 1 0.29 0.41 0.64
B 1 0.08 0.25 0.07
C 1 0.04 -0.11 -0.15
A 2 -0.56 -0.68 -0.58
B 2 -0.47 -1.22 -0.68
C 2 -1.38 -1.13 -0.96
A 3 1.34 1.17 1.27
B 3 1.19 0.94 1.34
C 3 0.88 1.09 0.67
A 4 0.47 0.5 0.64
B 4 0.01 1.03 0.2
C 4 0.14 0.2 0.11
A 5 -0.8 -0.92 -0.84
B 5 -0.56 -1.2 -1.28
C 5 -1.46 -1.07 -1.45
A 6 0.02 -0.11 -0.21
B 6 -0.2 0.22 0.06
C 6 -0.29 -0.67 -0.49
A 7 0.59 0.75 0.66
B 7 0.47 0.55 0.83
C 7 0.02 0.01 0.21
A 8 -0.31 -0.2 -0.17
B 8 -0.63 0.08 -0.34
C 8 -0.46 -0.56 -0.49
A 9 2.26 1.99 2.01
B 9 1.8 2.12 2.19
C 9 1.77 1.45 1.87
A 10 -1.36 -1.25 -1.31
B 10 -1.68 -1.62 -1.5
C 10 -1.49 -1.77 -2.16
"""

# jaspQualityControl, msaGaugeRRCrossed: operator, part, three readings.
CROSSED = """
A 1 -0.5 -0.5 -0.5
A 2 -7 -6.5 -6
A 3 -2 -2 -1.5
A 4 -8 -8 -7.5
A 5 -4 -4 -3.5
A 6 -2 -1 -2
A 7 -11 -11 -11
A 8 -6 -6 -6
A 9 -2 -2 -1
A 10 -6 -6 -6
B 1 -0.5 -0.5 -0.5
B 2 -6.5 -7 -6.5
B 3 -1 -1 -2
B 4 -7 -7.5 -7.5
B 5 -3.5 -3.5 -4
B 6 -1 -2 -2
B 7 -11 -11 -11
B 8 -6 -6 -6
B 9 -2 -2 -2
B 10 -6 -6 -6
C 1 -1 -0.5 -0.5
C 2 -6 -6 -6
C 3 -2 -2 -1
C 4 -7 -7 -7
C 5 -3 -4 -4
C 6 -1 -1 -1
C 7 -11 -10 -11
C 8 -6 -5 -5
C 9 -2 -1 -2
C 10 -6 -6 -6
"""

# jaspQualityControl, msaGaugeRRNested: operator, batch, two readings.
NESTED = """
A 1 33.4 33.2
A 2 32.4 31.7
A 3 34.4 34.5
A 4 33.9 34.5
A 5 34.5 34.7
B 6 32.5 32.1
B 7 32.1 32.3
B 8 35.1 34.7
B 9 32.4 33.1
B 10 34.8 34.9
C 11 32.6 32.7
C 12 32.3 32.1
C 13 34.9 34.7
C 14 33 33.2
C 15 31.6 30.9
"""

# AIAG, "Measurement Systems Analysis", 4th ed. 2010, linearity: reference, twelve readings.
LINEARITY = """
2 2.7 2.5 2.4 2.5 2.7 2.3 2.5 2.5 2.4 2.4 2.6 2.4
4 5.1 3.9 4.2 5 3.8 3.9 3.9 3.9 3.9 4 4.1 3.8
6 5.8 5.7 5.9 5.9 6 6.1 6 6.1 6.4 6.3 6 6.1
8 7.6 7.7 7.8 7.7 7.8 7.8 7.8 7.7 7.8 7.5 7.6 7.7
10 9.1 9.3 9.5 9.3 9.4 9.5 9.5 9.5 9.6 9.2 9.3 9.4
"""

# jaspQualityControl, msaType1: fifty readings of one part of -4.
TYPE_ONE = """
-4 -4.1 -4.1 -4.1 -4.1 -3.9 -3.9 -3.9 -4.1 -4.2
-3.9 -4.2 -4 -3.8 -3.9 -3.9 -3.9 -3.9 -4.6 -4.3
-3.9 -3.7 -3.7 -3.9 -4 -5 -3.9 -3.8 -3.7 -3.8
-3.7 -3.8 -3.6 -3.5 -3.6 -3.6 -3.4 -5.1 -3.5 -4
-4.5 -3.5 -5.1 -5 -3.5 -3.5 -3.5 -3.6 -3.6 -3.5
"""

# jaspQualityControl, msaAttributeAgreement: the right answers of 15 parts, then each rater with three answers a part.
ATTRIBUTE = """
right Y N Y Y Y N Y N N Y N Y Y Y Y
EG YYY NNN YYY YNN YYY YYY YYY NNN NNN YYY NNN YYY YYY NNN YYY
BL YYY NNN YYY YNN YYY YYY NNN NNN NNN YYY NNN YYY YYY NNN YYY
MH YYY YYY YYY YYY YYY YYY YYY NNY YNN YYY YNY YYY YYY NNN YYY
"""

# AIAG, "Measurement Systems Analysis", 4th ed. 2010, attribute study of 50 parts, three appraisers, three trials: two
# who decide, both 0, first 0 and second 1, first 1 and second 0, both 1, and the printed kappa.
CROSS_TABLES = """
A B 44 6 3 97 0.86
B C 42 5 9 94 0.79
A C 43 7 8 92 0.78
A right 45 5 3 97 0.88
B right 45 2 3 100 0.92
C right 42 9 6 93 0.77
"""

# D. C. Montgomery, "Introduction to Statistical Quality Control", 6th ed. 2009, table 11.1, means of 20 samples:
# strength and diameter.
STRENGTH = """
115.25 1.04
115.91 1.06
115.05 1.09
116.21 1.05
115.9 1.07
115.55 1.06
114.98 1.05
115.25 1.1
116.15 1.09
115.92 1.05
115.75 0.99
114.9 1.06
116.01 1.05
115.83 1.07
115.29 1.11
115.63 1.04
115.47 1.03
115.58 1.05
115.72 1.06
115.4 1.04
"""

# jaspQualityControl, rareEventCharts: parts between 37 events, hours and days between them.
RARE = """
94 6.633088135 4.025733422
6 12.38238356 8.802465412
72 7.970600605 3.640918648
86 18.8991916 2.882392807
86 5.514854724 1.706452351
39 25.90932334 1.721717464
31 22.39704012 4.820426055
81 20.04853949 2.529649285
50 18.5405362 2.162547896
34 11.16714181 6.743763881
4 15.89507058 0.4766362743
13 26.24047029 7.008530875
69 17.45250299 3.518886385
25 25.19303294 4.089439979
52 9.373444947 8.20951324
22 21.24870967 9.188573482
89 7.950534183 2.825283301
32 17.83029582 9.611047937
25 14.43869401 7.283944283
87 7.950981944 6.86375082
35 16.93771304 0.5284394277
40 27.39564669 3.952201346
30 27.05623168 4.778453798
12 8.224998645 5.602532637
31 9.644482692 6.982615949
30 29.56922653 9.156835384
64 18.59979931 6.183512274
99 28.11942267 4.284215088
14 13.99598107 5.420803672
93 12.2049778 0.5847848859
96 19.77690973 2.608568571
71 4.570398505 3.971519533
67 17.18601175 1.977447367
23 7.161780805 8.319275628
79 28.87076809 1.528872228
85 18.04097178 8.03418542
37 15.45089182 5.468261566
"""


def answers(text: str) -> list[tuple[str, str, str, str]]:
    """List the answers of a table: part, rater, answer and right answer."""
    right, *raters = (line.split() for line in text.split("\n") if line)
    return [
        (str(part), who, answer, right[part])
        for who, *given in raters
        for part, trials in enumerate(given, 1)
        for answer in trials
    ]


def readings(text: str) -> tuple[list[float], list[str], list[str]]:
    """List the readings of a table with their parts and operators."""
    rows = [line.split() for line in text.split("\n") if line]
    found = [(float(x), part, who) for who, part, *each in rows for x in each]
    values, parts, operators = (list(column) for column in zip(*found, strict=True))
    return values, parts, operators


def references(text: str) -> tuple[list[float], list[float]]:
    """List the readings of a table with their references."""
    rows = [[float(x) for x in line.split()] for line in text.split("\n") if line]
    return [x for row in rows for x in row[1:]], [row[0] for row in rows for _ in row[1:]]
