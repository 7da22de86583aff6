-- What: every post of an imported file (of an account that was not merged away) has exactly one snapshot from
--       files, or an API snapshot in that slot; that snapshot holds the sums of the newest row of each of its versions.
-- Why:  imported history must neither be lost nor counted once a file.
-- Rows: the post and what differs, the number of snapshots from files or a measure: found in the mart, expected as
--       landed.
with

ranked_versions as (

    select
        files.post_id,
        files.collected_at,
        {%- for measure in file_measures() %}
        files.{{ measure }},
        {%- endfor %}
        row_number() over (
            partition by files.post_id, files.platform_post_id
            order by files.collected_at desc, files.impressions desc nulls last, files.file_sha256 asc
        ) as recency
    from {{ ref('stg_twitter__export_posts') }} as files
    inner join {{ ref('stg_control__accounts') }} as accounts
        on
            files.account_id = accounts.account_id
            and accounts.merged_into is null

),

landed as (

    select
        post_id,
        max(collected_at) as collected_at,
        {%- for measure in file_measures() %}
        {{ sum_of_versions(measure) }} as {{ measure }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from ranked_versions
    where recency = 1
    group by post_id

),

-- The API goes before the newest file row of the same slot.
api_slots as (

    select distinct files.post_id
    from {{ ref('stg_twitter__export_posts') }} as files
    inner join landed
        on
            files.post_id = landed.post_id
            and files.collected_at = landed.collected_at
    inner join {{ ref('post_increments') }} as increments
        on
            files.snapshot_id = increments.id
            and increments.source = 'api'

),

marted as (

    select
        post_id,
        count(*) as snapshots,
        {%- for measure in file_measures() %}
        sum({{ measure }}) as {{ measure }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from {{ ref('analytics_snapshots') }}
    where source = 'file'
    group by post_id

),

compared as (

    select
        landed.post_id,
        coalesce(marted.snapshots, 0) as found_snapshots,
        case when marted.snapshots is null and api_slots.post_id is not null then 0 else 1 end as expected_snapshots,
        {%- for measure in file_measures() %}
        marted.{{ measure }} as found_{{ measure }},
        case when marted.snapshots is not null then landed.{{ measure }} end as expected_{{ measure }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from landed
    left join marted on landed.post_id = marted.post_id
    left join api_slots on landed.post_id = api_slots.post_id

),

final as (

    {{ each_difference('compared', ['post_id'], ['snapshots'] + file_measures()) }}

)

select * from final
