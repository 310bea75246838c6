"""The Bayesian factorisation machine: Gibbs sampling by relation blocks, fold-in from samples."""
