"""Pages for people, and the files behind them."""
