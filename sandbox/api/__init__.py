"""What the front door offers, one file a verb: the command line parses, calls these functions and prints."""
