"""Calls the library with NumPy arrays: python digits.py LIBRARY"""
import ctypes
import sys
import numpy as np

digits = ctypes.CDLL(sys.argv[1])
array = np.ctypeslib.ndpointer(np.float32, flags="C_CONTIGUOUS")
digits.digits_forward.argtypes = [array, array]
x, y = np.arange(64, dtype=np.float32) / 64, np.empty(10, np.float32)
assert digits.digits_forward(x, y) == 0
print(" ".join(f"{value:.9g}" for value in y))
