with

-- Found in the rows themselves: a load counts once its rows are here, whatever its bookkeeping says.
final as (

    select load_id from {{ ref('stg_twitter__snapshots') }}
    union distinct
    select load_id from {{ ref('stg_linkedin__snapshots') }}
    union distinct
    select load_id from {{ ref('stg_twitter__export_posts') }}

)

select * from final
