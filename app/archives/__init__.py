"""Archives: from a file of some format to a stream of tweets."""
