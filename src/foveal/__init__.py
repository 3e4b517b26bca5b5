"""Foveal: Azure's GPT-4 Turbo with Vision API on your own machine, with open models."""

from foveal.images.data_url import local_image_to_data_url

__all__ = ["__version__", "local_image_to_data_url"]
__version__ = "0.1.0"
