"""What is known of people and items besides ratings."""
