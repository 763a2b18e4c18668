"""People as raters: questions, label sheets, agreement."""
