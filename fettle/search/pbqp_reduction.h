// The arithmetic of the exact PBQP reductions (Scholz & Eckstein, "Register Allocation for
// Irregular Architectures", LCTES 2002; Hames & Scholz, "Nearly Optimal Register Allocation with
// PBQP", 2006): what a node's removal leaves to its neighbours, and when an edge is no edge. Costs
// may be kForbidden throughout. Shapes must fit (asserted); a result must not be one of the inputs.
#pragma once

#include <cstdint>
#include <vector>

#include "fettle/search/pbqp_problem.h"

namespace fettle {

// In the order of operands that vector minima have.
inline double Smaller(double a, double b) { return a < b ? a : b; }

// RI, a node with one neighbour: (*out)[a] = min_k costs[k] + to_a[k][a].
void ReduceToVector(const std::vector<double>& costs, const PbqpMatrix& to_a,
                    std::vector<double>* out);

// RII, a node with two neighbours: (*out)[a][b] = min_k costs[k] + to_a[k][a] + to_b[k][b].
// The one expensive step: options cubed.
void ReduceToMatrix(const std::vector<double>& costs, const PbqpMatrix& to_a,
                    const PbqpMatrix& to_b, PbqpMatrix* out);

// The option k that attains the minimum, the first of equals, where both ends have been decided;
// -1 where all are forbidden. R0 passes no matrix, RI one, RII two.
struct DecidedEdge {
  const PbqpMatrix* costs;  // rows: the options of the node to decide
  int choice;               // the column: what the neighbour took
};
int BestOption(const std::vector<double>& costs, const std::vector<DecidedEdge>& edges);

// A matrix that is a sum row[i] + col[j] links nothing: its vectors can go to the nodes, and the
// edge away. A row (column) of nothing but kForbidden counts as row[i] (col[j]) = kForbidden, and
// then says nothing about the rest; any other forbidden entry is a genuine link. `tolerance` is the
// largest deviation taken for rounding, in units of cost.
struct Separation {
  bool separable = false;
  std::vector<double> row, col;  // empty unless separable
};
Separation Separate(const PbqpMatrix& matrix, double tolerance);

// The deviation that rounding explains in a matrix by itself: 1e-13 of its largest finite entry.
double RoundingTolerance(const PbqpMatrix& matrix);

}  // namespace fettle
