"""The pages: their files, how they are sent, and questions without a body (HEAD)."""
