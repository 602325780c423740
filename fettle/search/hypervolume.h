// The hypervolume indicator (Zitzler & Thiele 1999): the volume that a set of points dominates, up
// to a reference point. Every objective is minimised; the unit is the product of their units.
#pragma once

#include <vector>

#include "fettle/search/pareto_front.h"

namespace fettle {

// Exact. Points that are not better than the reference in every objective add nothing; dominated
// and repeated points are harmless. One and two objectives take O(n log n); three O(n log n), by a
// sweep over the third with the staircase of the first two in a balanced tree (Fonseca, Paquete &
// Lopez-Ibanez, CEC 2006); more take WFG's recursion (While, Bradstreet & Barone, IEEE TEVC 2012),
// exponential in the number of objectives but quick for a few dozen points at five or six.
// Asserts that the reference is finite and that points have its length and hold no NaN or
// -infinity.
double Hypervolume(const std::vector<Objectives>& points, const Objectives& reference);

}  // namespace fettle
