{#-
    What:   an on-run-end hook: tells which rows the data tests found (execution/analytics/dbt_program.py). It runs
            the tests' own SQL once more, before the build is recorded: what was touched is known until then.
-#}
{% macro tell_failing_rows(results) %}
    {%- if execute %}
        {%- for result in results if result.node.resource_type == 'test' and result.status in ['fail', 'warn'] %}
            {%- set found = run_query('select * from (' ~ result.node.compiled_code ~ ') as failing limit 1000') %}
            {%- set rows = [] %}
            {%- for row in found.rows %}
                {%- set cells = [] %}
                {%- for value in row %}
                    {%- do cells.append(none if value is none else value | string) %}
                {%- endfor %}
                {%- do rows.append(cells) %}
            {%- endfor %}
            {%- do log('failing rows: ' ~ tojson({
                'test': result.node.name,
                'sentence': result.node.description,
                'is_warning': result.status == 'warn',
                'count': result.failures,
                'columns': found.column_names | list,
                'rows': rows,
            })) %}
        {%- endfor %}
    {%- endif %}
{% endmacro %}
