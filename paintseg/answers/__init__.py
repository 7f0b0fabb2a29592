"""What can be told of a photo without painting: answers while somebody points."""
