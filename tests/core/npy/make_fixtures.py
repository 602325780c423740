#!/usr/bin/env python3
"""Writes the .npy files beside it: what NumPy itself makes of the values in npy_test.cpp."""

import pathlib

import numpy as np

FOLDER = pathlib.Path(__file__).resolve().parent
VALUES = [0, 1, 2, 3, -4, 5]


def save(name, array, version=None):
    with open(FOLDER / f"{name}.npy", "wb") as file:
        np.lib.format.write_array(file, array, version)


for code in ["f2", "f4", "f8", "i1", "i2", "i4", "i8"]:
    save(code, np.array(VALUES, "<" + code).reshape(2, 3))
save("u1", np.array([0, 1, 2, 3, 128, 255], "u1").reshape(2, 3))
save("bool", np.array([[True, False, True]]))
save("fortran", np.asfortranarray(np.arange(24, dtype="<f4").reshape(2, 3, 4)))
save("scalar", np.array(7.5, "<f8"))
save("vector", np.array([1, 2], "<i8"))
save("empty", np.zeros((0, 3), "<f4"))
save("version2", np.array([1, 2], "<i8"), (2, 0))
save("version3", np.array([1, 2], "<i8"), (3, 0))
save("big_endian", np.array([1, 2], ">i8"))
save("structured", np.array([(1, 2)], [("a", "<i4"), ("b", "<f4")]))
