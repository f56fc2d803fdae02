"""Shipped profiles: data beside this file, never imported."""
