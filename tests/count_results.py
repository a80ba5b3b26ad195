#!/usr/bin/env python3
"""Adds up ctest results: single GoogleTest cases where a program prints them, else one per ctest entry.

    count_results.py REPORT...       (files of ctest --output-junit)

Prints the failures, then every skip with its reason, then the last lines of every entry that failed, and ends with
"N passed, N failed". Exit code 1 if anything failed or nothing passed. A case that several ranks report counts once; a
failure on any rank is a failure.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree

CASE = re.compile(r"\[ *(OK|SKIPPED|FAILED) *\] ([\w/]+\.[\w/]+)")
SKIP_TEXT = re.compile(r": Skipped\n(.*?)\n(?:\n|\[)", re.DOTALL)


def skip_reasons(output: str) -> dict[str, str]:
    """Name of each skipped case -> the text of its GTEST_SKIP."""
    reasons = {}
    for block in output.split("[ RUN      ] ")[1:]:
        text = SKIP_TEXT.search(block)
        if text:
            reasons[block.split("\n", 1)[0].strip()] = " ".join(text.group(1).split())
    return reasons


def cases_of(output: str) -> dict[str, str]:
    """Name of each GoogleTest case -> OK, SKIPPED or FAILED, the worst that any rank reported."""
    order = ("OK", "SKIPPED", "FAILED")
    cases: dict[str, str] = {}
    for verdict, name in CASE.findall(output):
        cases[name] = max(cases.get(name, "OK"), verdict, key=order.index)
    return cases


def entry_results(entry: ElementTree.Element) -> list[tuple[str, str, str]]:
    """(name, OK | SKIPPED | FAILED, reason) of all that one ctest entry stands for."""
    name, status = entry.get("name", "?"), entry.get("status")
    output = entry.findtext("system-out") or ""
    cases, reasons = cases_of(output), skip_reasons(output)
    results = [(f"{name}: {case}", verdict, reasons.get(case, "no reason given"))
               for case, verdict in cases.items()]
    if status in ("notrun", "disabled"):
        if not cases:
            said = re.search(r"^SKIP: (.*)$", output, re.MULTILINE)
            skipped = entry.find("skipped")
            reason = said.group(1) if said else skipped.get("message", "") if skipped is not None else status
            # A program that is not there is no skip.
            verdict = "FAILED" if "Unable to find executable" in output + reason else "SKIPPED"
            results = [(name, verdict, reason)]
    elif status != "run":
        if not any(verdict == "FAILED" for _, verdict, _ in results):
            failure = entry.find("failure")
            results.append((name, "FAILED", failure.get("message", "") if failure is not None else status or ""))
    elif not cases:
        results = [(name, "OK", "")]
    return results


def last_lines(entry: ElementTree.Element, count: int = 40) -> str:
    """The end of what an entry said, for a reader who has nothing but this script's output."""
    lines = (entry.findtext("system-out") or "(no output)").rstrip().split("\n")
    return "\n".join("  | " + line[:300] for line in lines[-count:])


def main() -> int:
    results, said = [], []
    for report in sys.argv[1:]:
        for entry in ElementTree.parse(report).getroot().iter("testcase"):
            of_entry = entry_results(entry)
            if any(verdict == "FAILED" for _, verdict, _ in of_entry):
                failure = entry.find("failure")
                reason = failure.get("message", "") if failure is not None else ""
                said.append(f"{entry.get('name')} of {report} failed after {entry.get('time')} s ({reason}):")
                said.append(last_lines(entry))
            results += of_entry
    for name, verdict, reason in results:
        if verdict == "FAILED":
            print(f"failed   {name}")
        elif verdict == "SKIPPED":
            print(f"skipped  {name}: {reason}")
    for text in said:
        print(text)
    count = {verdict: sum(v == verdict for _, v, _ in results) for verdict in ("OK", "SKIPPED", "FAILED")}
    if count["SKIPPED"]:
        print(f"{count['SKIPPED']} skipped")
    print(f"{count['OK']} passed, {count['FAILED']} failed")
    return 1 if count["FAILED"] or not count["OK"] else 0


if __name__ == "__main__":
    sys.exit(main())
