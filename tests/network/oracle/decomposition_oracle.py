#!/usr/bin/env python3
"""Judges decompositions of kernels by what NumPy makes of their definitions.

    decomposition_oracle.py FOLDER

FOLDER/cases.txt has a line a case: its name, the variant and its ranks, and the relative error that
the program states. FOLDER/NAME.kernel.npy is the kernel [T,S,Dh,Dw], NAME.got.npy what the factors
come to; NAME.covariance.npy, where there is one, the covariance of the patches that the factors were
fitted to. For "evbmf" the kernel is a matrix and the rank is what is judged. One line a fault; exit
code 0 where there is none.
"""

import pathlib
import sys

import numpy as np

FAULTS = []


def truncated(matrix, rank):
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    return (left[:, :rank] * values[:rank]) @ right[:rank]


def root_of(covariance):
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


def error_of(kernel, got, covariance):
    wanted, missed = (k.reshape(len(kernel), -1) for k in (kernel, kernel - got))
    if covariance is None:
        return np.sum(missed**2) / np.sum(wanted**2)
    root = root_of(covariance)
    return np.sum((missed @ root) ** 2) / np.sum((wanted @ root) ** 2)


def best_responses(kernel, ranks, covariance):
    """svd and tucker1: the nearest kernel of that rank in the norm of the outputs."""
    flat = kernel.reshape(len(kernel), -1)
    if covariance is None:
        return truncated(flat, ranks[0]).reshape(kernel.shape)
    root = root_of(covariance)
    return (truncated(flat @ root, ranks[0]) @ np.linalg.pinv(root)).reshape(kernel.shape)


def spatial_svd(kernel, ranks):
    outputs, inputs, height, width = kernel.shape
    matrix = kernel.transpose(1, 2, 0, 3).reshape(inputs * height, outputs * width)
    return (
        truncated(matrix, ranks[0])
        .reshape(inputs, height, outputs, width)
        .transpose(2, 0, 1, 3)
    )


def leading(tensor, axis, rank):
    unfolded = np.moveaxis(tensor, axis, 0).reshape(tensor.shape[axis], -1)
    return np.linalg.svd(unfolded, full_matrices=False)[0][:, :rank]


def tucker2(kernel, ranks):
    r3, r4 = ranks
    of_inputs = leading(kernel, 1, r3)
    for _ in range(300):
        of_outputs = leading(np.einsum("tsij,sr->trij", kernel, of_inputs), 0, r4)
        of_inputs = leading(np.einsum("tsij,tr->rsij", kernel, of_outputs), 1, r3)
    core = np.einsum("tsij,sr,tq->qrij", kernel, of_inputs, of_outputs)
    return np.einsum("qrij,sr,tq->tsij", core, of_inputs, of_outputs)


def cp(kernel, ranks, starts=4, sweeps=150):
    """The best of plain alternating least squares from several random starts."""
    best, least = None, np.inf
    for start in range(starts):
        random = np.random.default_rng(start)
        factors = [random.standard_normal((n, ranks[0])) for n in kernel.shape]
        for _ in range(sweeps):
            for n in range(4):
                others = [k for k in range(4) if k != n]
                products = np.ones((1, ranks[0]))
                for k in others:  # column by column
                    products = (products[:, None] * factors[k][None]).reshape(-1, ranks[0])
                unfolded = np.moveaxis(kernel, n, 0).reshape(kernel.shape[n], -1)
                right = unfolded @ products
                gram = np.ones((ranks[0], ranks[0]))
                for k in others:
                    gram = gram * (factors[k].T @ factors[k])
                factors[n] = right @ np.linalg.pinv(gram, rcond=1e-12)
                if n != 3:
                    factors[n] /= np.linalg.norm(factors[n], axis=0) + 1e-300
        got = np.einsum("tr,sr,ir,jr->tsij", *factors)
        error = np.sum((kernel - got) ** 2)
        if error < least:
            best, least = got, error
    return best


def evbmf(matrix):
    """Free energy of Nakajima et al. 2013 over the noise's variance, on a fine grid."""
    smaller, larger = sorted(matrix.shape)
    energies = np.linalg.svd(matrix, compute_uv=False) ** 2
    energies = np.maximum(energies, 1e-14 * energies[0])
    alpha = smaller / larger
    tau_bar = 2.5129 * np.sqrt(alpha)
    x_bar = (1 + tau_bar) * (1 + alpha / tau_bar)
    first = min(int(np.ceil(smaller / (1 + alpha))) - 1, smaller - 1)
    high = energies.sum() / (smaller * larger)
    low = max(energies[first] / (larger * x_bar), energies[first:].mean() / larger)
    variances = np.geomspace(min(low, high), high, 20001)
    x = energies[None] / (larger * variances[:, None])
    over = np.maximum(x, x_bar) - (1 + alpha)
    tau = (over + np.sqrt(over**2 - 4 * alpha)) / 2
    signal = x - tau + np.log((tau + 1) / x) + alpha * np.log(tau / alpha + 1)
    free_energy = np.where(x > x_bar, signal, x - np.log(x)).sum(axis=1)
    variance = variances[np.argmin(free_energy)]
    return int(np.sum(energies > larger * variance * x_bar))


def judge(name, kind, ranks, stated, kernel, got, covariance):
    def demand(holds, what):
        if not holds:
            FAULTS.append(f"{name}: {kind}{ranks}: {what}")

    if kind == "evbmf":
        demand(evbmf(kernel) == ranks[0], f"the oracle's rank is {evbmf(kernel)}")
        return
    error = error_of(kernel, got, covariance)
    demand(abs(error - stated) <= 1e-6 * error + 1e-10, f"states {stated}, is off by {error}")
    if kind in ("svd", "tucker1") or (kind == "spatial_svd" and covariance is None):
        want = (
            spatial_svd(kernel, ranks)
            if kind == "spatial_svd"
            else best_responses(kernel, ranks, covariance)
        )
        distance = np.linalg.norm(got - want) / np.linalg.norm(kernel)
        demand(distance < 1e-6, f"differs from the oracle's kernel by {distance}")
        return
    want = {"spatial_svd": spatial_svd, "tucker2": tucker2, "cp": cp}[kind](kernel, ranks)
    of_oracle = error_of(kernel, want, covariance)
    if covariance is not None:  # fitted to them, it must be better than what was not
        demand(error < of_oracle, f"is off by {error}, from the weights alone by {of_oracle}")
    elif kind == "tucker2":
        demand(abs(error - of_oracle) <= 1e-4 * of_oracle, f"is off by {error}, not {of_oracle}")
    else:
        demand(error <= 1.03 * of_oracle + 1e-9, f"is off by {error}, the oracle by {of_oracle}")


def main(folder):
    lines = (folder / "cases.txt").read_text().splitlines()
    for line in lines:
        name, kind, *ranks, stated = line.split()
        load = {
            part: np.load(folder / f"{name}.{part}.npy")
            for part in ("kernel", "got", "covariance")
            if (folder / f"{name}.{part}.npy").exists()
        }
        judge(name, kind, [int(rank) for rank in ranks], float(stated), load["kernel"],
              load.get("got"), load.get("covariance"))
    if not lines:
        FAULTS.append("no cases")
    print(*FAULTS, f"{len(lines)} cases, {len(FAULTS)} faults", sep="\n")
    return 1 if FAULTS else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
