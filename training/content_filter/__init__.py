"""Makes `src/foveal/safety/data/head.npz`: see docs/content-filter.md, "The model card".

    python -m training.content_filter --data FOLDER [--check]

`FOLDER` holds the public labelled sets; their text is read and never kept.
"""
