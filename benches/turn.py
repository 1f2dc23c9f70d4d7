"""One contest in a process of its own: `turn.py KEY SEED ROUNDS` prints its times as JSON; alone, it lists the keys.

`null` is printed when the data of the contest is not here.
"""

from __future__ import annotations

import json
import sys

from contests import table
from contests.inputs import Inputs
from measure import cold, hot


def main() -> None:
    """Measures one contest, hot and cold."""
    if len(sys.argv) == 1:
        print("\n".join(table.MAKERS))
        return
    key, seed, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    contest = table.contest(key, Inputs(seed))
    if contest is None:
        print("null")
        return
    contenders = [{"name": it.name, "kind": it.kind, "note": it.note} for it in contest.contenders]
    print(
        json.dumps(
            {
                "title": contest.title,
                "contenders": contenders,
                "missing": contest.missing,
                "hot": hot(contest, rounds),
                "cold": cold(contest, max(3, rounds // 3)),
            }
        )
    )


if __name__ == "__main__":
    main()
