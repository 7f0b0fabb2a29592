"""What is looked at: the part of the photo the loop works on, and what the encoder is shown of it."""
