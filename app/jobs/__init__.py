"""Jobs: the workflows that import, train, restock and retrain, and the worker that runs them."""
