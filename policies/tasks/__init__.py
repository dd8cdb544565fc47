"""What each problem contributes to a policy: its features and its context, one file each."""
