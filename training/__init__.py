"""Scripts that make the data files of trained models. Not part of the installed package."""
