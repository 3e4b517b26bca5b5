"""Wires one process: settings in, engines and services out. The one room that knows every other."""
