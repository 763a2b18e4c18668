"""What several people hold together."""

from __future__ import annotations

from riskbox.sandbox.people.ratings import RatingKey, Ratings, together


def test_people_together_hold_the_median_of_scores_and_what_most_of_them_say() -> None:
    def person(name: str, harm: bool | None, legal: int | None, content: int | None = 0) -> Ratings:
        made = Ratings(name, {RatingKey("risk", "s/r", "e"): harm, RatingKey("label", "risky", "e"): None})
        scores = {"legal": legal, "content": content, "operational": 0, "societal": 0}
        made.values |= {RatingKey("dimension", id, "e"): value for id, value in scores.items()}
        return made

    held = together([person("a", True, -3), person("b", True, -8), person("c", False, 0)]).values
    assert held[RatingKey("risk", "s/r", "e")] is True
    assert held[RatingKey("dimension", "legal", "e")] == -3
    assert held[RatingKey("label", "risky", "e")] is True
    # of two scores the worse; of two answers that differ neither; who cannot tell counts as one who answered
    held = together([person("a", True, -3), person("b", False, 0)]).values
    assert (held[RatingKey("risk", "s/r", "e")], held[RatingKey("dimension", "legal", "e")]) == (None, -3)
    held = together([person("a", None, None), person("b", True, -4)]).values
    assert (held[RatingKey("risk", "s/r", "e")], held[RatingKey("dimension", "legal", "e")]) == (None, None)
    assert held[RatingKey("label", "risky", "e")] is None
    held = together([person("a", False, 0), person("b", False, 0)]).values
    assert held[RatingKey("label", "risky", "e")] is False
