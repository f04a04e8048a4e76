"""The Customer Relations Warehouse: from six sources to published KPI marts."""
