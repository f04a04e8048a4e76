{#
  Before an incremental run: delete the rows whose key staging no longer knows (erased from raw, or not yet known on the
  business date of an older night), so that an incremental fact equals one built anew. Args: fact, key, staging relation.
#}
{% macro forget_gone(fact, key, staging) -%}
    {%- if is_incremental() -%}
        delete from {{ fact }} as fact where not exists (select from {{ staging }} as known where known.{{ key }} = fact.{{ key }})
    {%- endif -%}
{%- endmacro %}
