"""What a student should see in each lesson, and answers that its checks must refuse."""
