{#-
    How views and tables are built on DuckDB: at one go. dbt's own ways move the old one aside, the new one
    in its place, and drop the old one later, for those who read meanwhile. Nobody does: a build writes a
    copy of the warehouse.
-#}

{% materialization view, adapter='duckdb' %}
    {%- set built = this.incorporate(type='view') %}
    {{ run_hooks(pre_hooks) }}
    {%- call statement('main') %}
        {{ drop_last_built() }}
        {{ create_view_as(built, sql) }}
    {%- endcall %}
    {{ run_hooks(post_hooks) }}
    {%- do adapter.commit() %}
    {{- return({'relations': [built]}) }}
{% endmaterialization %}

{#- A model may read what it held before: the new table is there before the old one goes. -#}
{% materialization table, adapter='duckdb' %}
    {%- set built = this.incorporate(type='table') %}
    {%- set coming = make_intermediate_relation(built) %}
    {{ run_hooks(pre_hooks) }}
    {%- call statement('main') %}
        {{ create_table_as(false, coming, sql) }}
        {{ drop_last_built() }}
        alter table {{ coming }} rename to {{ built.identifier }};
    {%- endcall %}
    {{ run_hooks(post_hooks) }}
    {%- do adapter.commit() %}
    {{- return({'relations': [built]}) }}
{% endmaterialization %}

{#- What: the statement that removes what the model was built as last, if it was. -#}
{% macro drop_last_built() %}
    {%- set last_built = load_cached_relation(this) %}
    {%- if last_built is not none %}
        drop {{ last_built.type }} {{ last_built }};
    {%- endif %}
{% endmacro %}
