"""Spreadsheets of an ERP into events: tables, maps, checks, and EPCIS 2.0 out of each business line."""
