"""The functions of the Python front door, one file each. The command line parses, calls them and prints."""
