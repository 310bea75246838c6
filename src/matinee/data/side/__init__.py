"""Side columns of users and items."""
