// The smallest use of one library.
#include "fettle/search/pareto_front.h"

int main() {
  fettle::ParetoFront front(2);
  front.Add({1, 2}, 0);
  return front.points().size() == 1 ? 0 : 1;
}
