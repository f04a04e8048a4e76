"""What is held on persons: for how long, who asks to see it or to have it forgotten, and under which key."""
