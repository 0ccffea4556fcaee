"""Text out of models and reports. Emitters never analyse: they are given reports."""
