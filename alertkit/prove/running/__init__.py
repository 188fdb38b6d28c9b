"""Jobs packed into batches, run by the real promtool; its words read, results told, what passed remembered."""
