"""The Customer Relations Warehouse: from six source systems to published KPI marts."""
