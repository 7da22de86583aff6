with

-- Found in the rows themselves: a load counts once its rows are here, whatever its bookkeeping says.
final as (

    {%- for platform in platforms() %}
    select load_id from {{ ref('stg_' ~ platform ~ '__snapshots') }}
    where not is_archived
    union distinct
    {%- endfor %}
    select load_id from {{ ref('stg_twitter__export_posts') }}

)

select * from final
