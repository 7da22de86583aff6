"""Tests of the dbt project on warehouses made for them."""
