"""Maps from the score of pictures with parts covered."""
