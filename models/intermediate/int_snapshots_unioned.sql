with

api as (

    select
        snapshot_id,
        post_id,
        account_id,
        platform,
        platform_post_id,
        slot_start,
        collected_at,
        first_landed_at,
        {%- for counter in counters() %}
        {{ counter }},
        {%- endfor %}
        unique_impressions,
        cast(null as integer) as platform_engagements,
        'api' as source,
        'observed' as collected_basis
    from {{ ref('int_snapshots_api') }}

),

-- For one slot an API row wins over a file row.
file as (

    select
        rows_of_files.snapshot_id,
        rows_of_files.post_id,
        rows_of_files.account_id,
        rows_of_files.platform,
        rows_of_files.platform_post_id,
        rows_of_files.slot_start,
        rows_of_files.collected_at,
        rows_of_files.first_landed_at,
        {%- for counter in counters() %}
        rows_of_files.{{ counter }},
        {%- endfor %}
        rows_of_files.unique_impressions,
        rows_of_files.platform_engagements,
        'file' as source,
        rows_of_files.collected_basis
    from {{ ref('int_snapshots_file') }} as rows_of_files
    left join api on rows_of_files.snapshot_id = api.snapshot_id
    where api.snapshot_id is null

),

final as (

    select * from api
    union all
    select * from file

)

select * from final
