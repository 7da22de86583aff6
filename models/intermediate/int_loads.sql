{%- set recorded_loads = recorded('recorded_loads') -%}

with

-- Found in the rows themselves: a load counts once its rows are here, whatever its bookkeeping says.
landed as (

    select load_id from {{ ref('int_readings') }}
    where not is_archived
    union distinct
    select load_id from {{ ref('stg_twitter__export_posts') }}

),

final as (

    select
        landed.load_id,
        {% if recorded_loads %}recorded.load_id is null{% else %}true{% endif %} as is_new,
        '{{ invocation_id }}' as build_id
    from landed
    {%- if recorded_loads %}
    left join {{ recorded_loads }} as recorded on landed.load_id = recorded.load_id
    {%- endif %}

)

select * from final
