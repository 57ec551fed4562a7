"""The UAA: who may do what, said in signed tokens."""
