"""What a line of a simulated user does, where it is no move of the person: by wording, polarity and place.

A refusal is read with its object (to play, or to give a number), a voice by what only one side of a desk says, and a word
such as "scenario" by whether the person's own business or the other side brought it up. What stands in quotation marks is
somebody else's. English, German, Spanish and French; a reason is one sentence, and empty where nothing was found.
"""
