#pragma once

#include <cstddef>
#include <span>

namespace fettle {

// The rank of a matrix seen through noise: that of empirical variational Bayesian matrix
// factorisation, by its analytic global solution with the noise's variance estimated (Nakajima,
// Sugiyama, Babacan & Tomioka, "Global Analytic Solution of Fully-observed Variational Bayesian
// Matrix Factorization", JMLR 2013; its second corollary and equations). `energies` are the squares
// of the matrix's singular values, descending, as many as its smaller extent.
size_t EvbmfRank(std::span<const double> energies, size_t rows, size_t columns);

}  // namespace fettle
