"""How policies are trained: Lightning modules and data modules."""
