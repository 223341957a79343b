"""Peers on the same ground: our model inside IMDL-BenCo. The other way round is ``scripts/benco_predict.py``."""
