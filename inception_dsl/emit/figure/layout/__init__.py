"""Where all that a figure shows stands: layout, arrangement, posters, meshes."""
